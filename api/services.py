"""What the routes work with, made once at the start and handed down."""

from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from api.accept import Accept
from api.auth import Auth
from api.broadcasts import TakeBroadcasts
from api.figures import Figures
from api.known import KnownUsers
from api.people import People
from api.publish import Publish
from api.signups import SignUps
from tocsin.clock import Clock, SystemClock
from tocsin.settings import Settings
from tocsin.store import Broadcasts, Profiles, Subscriptions
from tocsin.store.idempotency import Idempotency
from tocsin.store.inbox import Inbox
from tocsin.store.otp import OtpStore
from tocsin.store.tickets import Tickets


@dataclass(frozen=True, slots=True)
class Services:
    """One of each per process."""

    settings: Settings
    clock: Clock
    redis: Redis
    producer: AIOKafkaProducer
    auth: Auth
    figures: Figures
    publish: Publish
    accept: Accept
    broadcasts: TakeBroadcasts
    signups: SignUps
    profiles: Profiles
    people: People
    subscriptions: Subscriptions
    idempotency: Idempotency
    otp: OtpStore
    tickets: Tickets
    inbox: Inbox

    @classmethod
    def over(
        cls,
        settings: Settings,
        redis: Redis,
        producer: AIOKafkaProducer,
        clock: Clock | None = None,
    ) -> "Services":
        """Everything over one store client and one producer."""
        clock = clock or SystemClock()
        profiles, subscriptions = Profiles(redis), Subscriptions(redis)
        publish = Publish(producer, settings.partitions)
        return cls(
            settings=settings,
            clock=clock,
            redis=redis,
            producer=producer,
            auth=Auth(settings),
            figures=Figures(settings),
            publish=publish,
            accept=Accept(profiles, KnownUsers(profiles), publish, clock),
            broadcasts=TakeBroadcasts(Broadcasts(redis), publish, clock),
            signups=SignUps(subscriptions, profiles, publish),
            profiles=profiles,
            people=People(profiles, publish),
            subscriptions=subscriptions,
            idempotency=Idempotency(redis),
            otp=OtpStore(redis, settings, clock),
            tickets=Tickets(redis),
            inbox=Inbox(redis),
        )
